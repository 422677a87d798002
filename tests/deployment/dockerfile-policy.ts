import { ancestryOf, type Dockerfile, type Stage, textsOf } from './dockerfile.ts';
import type { Finding } from './finding.ts';

interface Subject {
  readonly file: Dockerfile;
  readonly stage: Stage;
  /** The stage becomes an image that runs. */
  readonly isFinal: boolean;
}

const SECRET = /PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|PRIVATE|(?:API|ACCESS)_?KEY/i;

/** Each says whether a stage keeps it. */
export const dockerfileRules: Readonly<Record<string, (subject: Subject) => boolean>> = {
  'nothing has to be pulled to read the file': ({ file }) => !file.directives.some((each) => /syntax/.test(each)),

  'an image is built in several stages': ({ file, isFinal }) => !isFinal || file.stages.length > 1,

  'a base is a stage of the file or a pinned tag without a digest': ({ file, stage: { base } }) =>
    file.stages.some(({ name }) => name === base) || /^[^:@]+:v?\d[\w.-]*$/.test(base),

  'a final image runs as a user who is not root': ({ file, stage, isFinal }) => {
    if (!isFinal) return true;
    const user = ancestryOf(file, stage)
      .map((each) => textsOf(each, 'USER').at(-1))
      .find((each) => each !== undefined);
    return user !== undefined && !/^(root|0)(:|$)/.test(user);
  },

  'nothing is added from the network or unpacked unseen': ({ stage }) => textsOf(stage, 'ADD').length === 0,

  'no secret is baked in': ({ stage }) =>
    ![...textsOf(stage, 'ENV'), ...textsOf(stage, 'ARG')].some((text) => SECRET.test(text.replace(/=\S*/g, '='))),

  'dependencies are those of the lockfile': ({ stage }) =>
    commandsOf(stage).every(
      (command) => !/\b(pnpm|npm|yarn) (install|ci|add)\b/.test(command) || /--frozen-lockfile/.test(command),
    ),

  'what is deployed has production dependencies only': ({ stage }) =>
    commandsOf(stage).every((command) => !/\bpnpm\b.*\bdeploy\b/.test(command) || /--prod\b/.test(command)),

  'a final image takes from other stages what was deployed, not what was built with': ({ stage, isFinal }) =>
    !isFinal || !textsOf(stage, 'COPY').some((text) => /--from=build\b/.test(text)),

  'a final image takes single files from the repository, not the whole': ({ stage, isFinal }) =>
    !isFinal || !textsOf(stage, 'COPY').some((text) => !text.includes('--from=') && sourcesOf(text).includes('.')),

  'packages of the system are only those named, and their lists do not stay': ({ stage }) =>
    textsOf(stage, 'RUN').every(
      (text) =>
        !/apt-get install/.test(text) ||
        (/--no-install-recommends/.test(text) && /rm -rf \/var\/lib\/apt\/lists/.test(text)),
    ),

  'nothing is downloaded by hand': ({ stage }) => !commandsOf(stage).some((command) => /^(curl|wget)\b/.test(command)),

  'a final image says what it is and under which licence': ({ file, stage, isFinal }) => {
    const labels = ancestryOf(file, stage)
      .flatMap((each) => textsOf(each, 'LABEL'))
      .join(' ');
    return !isFinal || (labels.includes('image.title=') && labels.includes('image.licenses='));
  },
};

/** What a Dockerfile breaks; `targets` are the stages that are built into images, the last one if none is named. */
export function dockerfileFindings(file: Dockerfile, targets: readonly string[]): readonly Finding[] {
  const finals = targets.length > 0 ? targets : [file.stages.at(-1)?.name ?? ''];
  const missing = finals.filter((target) => !file.stages.some(({ name }) => name === target));
  const broken = Object.entries(dockerfileRules).flatMap(([rule, holds]) =>
    file.stages
      .filter((stage) => !holds({ file, stage, isFinal: finals.includes(stage.name) }))
      .map(({ name }) => ({ rule, where: name })),
  );
  return [...missing.map((where) => ({ rule: 'a stage that is built exists', where })), ...broken];
}

function commandsOf(stage: Stage): readonly string[] {
  return textsOf(stage, 'RUN').flatMap((text) =>
    text
      .replaceAll(/--mount=\S+ /g, '')
      .split(/&&|;|\|/)
      .map((command) => command.trim()),
  );
}

/** What a COPY takes, without its options and its destination. */
function sourcesOf(copy: string): readonly string[] {
  const paths = copy.split(' ').filter((part) => !part.startsWith('--'));
  return paths.slice(0, -1).map((path) => path.replace(/\/$/, ''));
}
