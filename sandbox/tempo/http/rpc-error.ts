/** A JSON-RPC error: the request was understood and not carried out. */
export class RpcRefused extends Error {
  readonly code: number;
  readonly data: string | undefined;

  constructor(code: number, message: string, data?: string) {
    super(message);
    this.name = 'RpcRefused';
    this.code = code;
    this.data = data;
  }
}
