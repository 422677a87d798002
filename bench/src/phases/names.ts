/** In the order in which they are measured. */
export const usualPhases = ['saturation', 'open-loop', 'recovery', 'backlog', 'replay', 'counts', 'scaling'] as const;

/** `growth` needs 15 GiB of disk and a quarter of an hour, so it is measured only when it is asked for by name. */
export const phaseNames = [...usualPhases, 'growth'] as const;
export type PhaseName = (typeof phaseNames)[number];
