// Node's own methods are taken from their classes, to be called on a response whose own may be others.
/* oxlint-disable typescript/unbound-method */
import { type IncomingMessage, ServerResponse } from 'node:http';
import { type Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { isHead } from '../content-request.js';
import { saysOfAnother } from '../gate/paid-head.js';
import { isHttp2 } from '../gate/wire-http2.js';
import type { PaidRequest } from '../paid-request.js';

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** What is asked of those of HTTP/1 here, those of HTTP/2 can do as well; the gate tells them apart. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
export const asHttp1 = (req: NodeRequest, res: NodeResponse): Pick<PaidRequest, 'req' | 'res'> => ({
  req: req as IncomingMessage,
  res: res as ServerResponse,
});

/** The part of a request that is answered on Node's own response. */
export function onNodeResponse(
  request: NodeRequest,
  response: NodeResponse,
): Pick<PaidRequest, 'req' | 'res' | 'headersSoFar' | 'parsedBody' | 'answer' | 'answerAgain'> {
  const { req, res } = asHttp1(request, response);
  return {
    req,
    res,
    headersSoFar: () => res.getHeaders(),
    parsedBody: () => (req as { readonly body?: unknown }).body,
    answer({ status, headers, body }) {
      // A layer before lost patience and has answered: its connection may serve others by now.
      if (res.headersSent) return;
      for (const name of res.getHeaderNames()) if (saysOfAnother(name)) res.removeHeader(name);
      res.statusCode = status;
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
      const hasBody = status !== 204 && status !== 304;
      if (hasBody) res.setHeader('Content-Length', Buffer.byteLength(body));
      // A stream of HTTP/2 takes no body after the head of a HEAD.
      if (!hasBody || isHead({ req, res })) res.end();
      else res.end(body);
    },
    answerAgain({ status, headers, body }) {
      if (res.headersSent) return;
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
      const hasBody = status !== 204 && status !== 304;
      if (hasBody) res.setHeader('Content-Length', Buffer.byteLength(body));
      // Layers put their own methods on the one response; these are Node's.
      const { writeHead, write, end } = isHttp2(res) ? Http2ServerResponse.prototype : ServerResponse.prototype;
      Reflect.apply(writeHead, res, [status]);
      if (hasBody) Reflect.apply(write, res, [body]);
      Reflect.apply(end, res, []);
    },
  };
}

/** As the client named it; requests of HTTP/2 name an authority. */
export function hostHeaderOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const authority = headers[':authority'];
  return headers.host || (typeof authority === 'string' ? authority : 'localhost');
}
