import type { IncomingMessage, ServerResponse } from 'node:http';
import { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import express from 'express';

/**
 * Express' handlers on Node's compatibility API of HTTP/2. Express puts prototypes of HTTP/1 under every request and
 * response; here they get the same methods on those of HTTP/2. One listener serves both, as `allowHTTP1` needs.
 */
export function expressOverHttp2(app: express.Express) {
  const own = { request: app.request, response: app.response };
  const http2 = {
    request: onTopOf(Http2ServerRequest.prototype, express.request, own.request),
    response: onTopOf(
      Http2ServerResponse.prototype,
      { _implicitHeader: implicitHeader },
      express.response,
      own.response,
    ),
  };
  return (req: IncomingMessage | Http2ServerRequest, res: ServerResponse | Http2ServerResponse): void => {
    // Express reads both while it is called, and not later.
    Object.assign(app, req.httpVersionMajor === 2 ? http2 : own);
    app(req as IncomingMessage, res as ServerResponse);
  };
}

/** compression 1.7 calls this method of HTTP/1's responses, and would not work on HTTP/2 at all. */
function implicitHeader(this: Http2ServerResponse): void {
  this.writeHead(this.statusCode);
}

function onTopOf(base: object, ...layers: readonly object[]): object {
  return layers.reduce((under, layer) => Object.create(under, Object.getOwnPropertyDescriptors(layer)) as object, base);
}
