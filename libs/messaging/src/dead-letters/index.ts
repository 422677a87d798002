export { LetterDecisions, type LetterDecision, type Responsible } from './decisions.ts';
export { addressOf, type DeadLetter, decodeLetter, originOf, parseAddress } from './letter.ts';
export type { NewerMessage, Overtaken } from './newer-messages.ts';
export { readLetters } from './read-letters.ts';
export { discard, type Edit, inOrder, Redrive, type Redriven } from './redrive.ts';
export { parkedDecisions, type ParkedDecision, retryParked, skipParked } from './parked-decisions.ts';
export { listParked, type ParkedListing, parkedMessages } from '../parking/operations.ts';
export type { QueuedRow } from '../parking/parked-rows.ts';
