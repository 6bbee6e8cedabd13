export function build(options?: { readonly tests?: boolean }): Promise<void>;
