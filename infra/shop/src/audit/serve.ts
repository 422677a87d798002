import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Health, Metrics } from '@millrace/observability';

/** Serves `/metrics`, `/health/live` and `/health/ready`; the caller closes it. Rejects when the port is taken. */
export async function serve(
  { host, port }: { readonly host: string; readonly port: number },
  metrics: Metrics,
  health: Health,
): Promise<Server> {
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    if (path === '/metrics') return send(response, 200, metrics.contentType, await metrics.text());
    if (path === '/health/live') return send(response, 200, 'application/json', '{"status":"live"}');
    if (path !== '/health/ready')
      return send(response, 404, 'text/plain', 'There is /metrics, /health/live and /health/ready.\n');
    const readiness = await health.ready();
    send(response, readiness.ready ? 200 : 503, 'application/json', JSON.stringify(readiness));
  };
  const server = createServer((request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?');
    answer(path, response).catch((error: unknown) =>
      send(response, 500, 'text/plain', `${error instanceof Error ? error.message : String(error)}\n`),
    );
  });
  const listening = once(server, 'listening');
  server.listen(port, host);
  await listening;
  return server;
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
  response.end(body);
}
