import { Client, type ClientInterceptors, Connection } from '@temporalio/client';

export type TemporalClient = Client;

/** Where Temporal is and how to speak to it. */
export interface TemporalSettings {
  /** host:port of the frontend. */
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly apiKey: string | undefined;
  /** PEM files as read; undefined: no TLS, unless there is an API key. */
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer } | undefined;
}

/** The client's and the worker's connections take the same fields. */
export function connectionOptions({ address, apiKey, tls }: TemporalSettings) {
  const pair = tls?.cert && tls.key ? { clientCertPair: { crt: tls.cert, key: tls.key } } : {};
  const certificates = tls ? { ...(tls.ca ? { serverRootCACertificate: tls.ca } : {}), ...pair } : undefined;
  return { address, apiKey, tls: certificates ?? (apiKey === undefined ? undefined : true) };
}

/**
 * Connects at its first call, not now: the server runs and accepts while Temporal is down.
 * @param interceptors of traces
 */
export function createTemporalClient(settings: TemporalSettings, interceptors?: ClientInterceptors): Client {
  return new Client({
    connection: Connection.lazy(connectionOptions(settings)),
    namespace: settings.namespace,
    ...(interceptors && { interceptors }),
  });
}

/** True when Temporal answers within a second. */
export const temporalAnswers = ({ connection, workflowService }: Client): Promise<boolean> =>
  connection
    .withDeadline(Date.now() + 1_000, () => workflowService.getSystemInfo({}))
    .then(
      () => true,
      () => false,
    );
