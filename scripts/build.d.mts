export function build(options?: { readonly tests?: boolean; readonly bench?: boolean }): Promise<void>;
