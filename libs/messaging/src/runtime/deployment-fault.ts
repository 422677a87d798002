// PostgreSQL's class 42: undefined table or column, missing privilege, wrong syntax.
const CLASS = '42';

/**
 * Whether the database refused a statement because of what is deployed (a migration that is missing, a privilege), which says
 * nothing about the message: every other message would fail alike, so none may be given up for it.
 */
export function isDeploymentFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return (typeof code === 'string' && code.length === 5 && code.startsWith(CLASS)) || isDeploymentFault(error.cause);
}
