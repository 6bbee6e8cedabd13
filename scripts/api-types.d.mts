/** @param document as docs/openapi.json has it. @returns the text of src/api-client/paths.ts */
export function apiTypes(document: {
  readonly paths: Readonly<Record<string, object>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}): string;
