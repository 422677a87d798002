import {
  type Context,
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { traceparentOf, withLogFields } from '@millrace/observability';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const contexts = new WeakMap<FastifyRequest, Context>();

/** Gives every request a server span, a child of the caller's, that is active in hooks and handlers. Not the probes. */
export function traceRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (isProbe(request)) return done();
    return context.with(startServerSpan(request, reply), () => done());
  });
  // Node hands over a body in the context of its connection, so the context of the request is entered again after it.
  fastify.addHook('preValidation', (request, _reply, done) => context.with(contextOfRequest(request), () => done()));
}

/** The context that holds the request's span; the active one for a request without a span. */
export function contextOfRequest(request: FastifyRequest): Context {
  return contexts.get(request) ?? context.active();
}

/** Starts the span of a request and ends it with the answer, also when the caller hangs up before. */
export function startServerSpan(request: FastifyRequest, reply: FastifyReply): Context {
  const parent = propagation.extract(ROOT_CONTEXT, request.headers);
  const { method, url } = request;
  const route = request.routeOptions.url;
  const span = trace.getTracer('@millrace/service').startSpan(
    route === undefined ? method : `${method} ${route}`,
    {
      kind: SpanKind.SERVER,
      attributes: {
        'http.request.method': method,
        'url.path': url.split('?', 1)[0] ?? url,
        'url.scheme': 'http',
        ...(route === undefined ? {} : { 'http.route': route }),
      },
    },
    parent,
  );
  const active = withOrder(trace.setSpan(parent, span), request);
  contexts.set(request, active);
  // W3C Trace Context Level 2: tells the caller under which id to look for the request.
  if (isSpanContextValid(span.spanContext())) void reply.header('traceresponse', traceparentOf(span.spanContext()));
  if (span.isRecording()) reply.raw.once('close', () => endServerSpan(span, reply));
  return active;
}

/** What is logged about a request for one order names the order. */
function withOrder(active: Context, { params }: FastifyRequest): Context {
  const { orderId } = (params ?? {}) as { readonly orderId?: unknown };
  return typeof orderId === 'string' ? withLogFields(active, { orderId }) : active;
}

function endServerSpan(span: Span, { raw }: FastifyReply): void {
  if (raw.headersSent) span.setAttribute('http.response.status_code', raw.statusCode);
  if (raw.headersSent && raw.statusCode >= 500) {
    span.setAttribute('error.type', String(raw.statusCode));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

function isProbe(request: FastifyRequest): boolean {
  const route = request.routeOptions.url;
  return route !== undefined && (route.startsWith('/health/') || route === '/metrics');
}
