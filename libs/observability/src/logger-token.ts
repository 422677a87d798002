/** Injects the process's logger: `constructor(@Inject(LOGGER) logger: Logger)`. */
export const LOGGER = Symbol('millrace.logger');
