// Writes the types of the API's paths (src/api-client/paths.ts) from docs/openapi.json, in the form that npm openapi-fetch reads.
// With --check it writes nothing, and says so where the file is not what the document makes of it.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const OUTPUT = 'src/api-client/paths.ts';

/** Say what a value looks like without changing its type. */
const TYPELESS = new Set([
  'type',
  'description',
  'default',
  'format',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'propertyNames',
]);
const TYPED = new Set([
  '$ref',
  'const',
  'enum',
  'anyOf',
  'oneOf',
  'allOf',
  'items',
  'properties',
  'required',
  'additionalProperties',
]);
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** @throws on a keyword that is not known here: a type that is only nearly right would be believed */
function typeOf(schema) {
  for (const keyword of Object.keys(schema)) {
    if (!TYPELESS.has(keyword) && !TYPED.has(keyword)) throw new Error(`schemas with ${keyword} have no type yet`);
  }
  const { $ref, enum: values, anyOf, oneOf, allOf, type } = schema;
  if ($ref) return named($ref);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (values) return values.map((value) => JSON.stringify(value)).join(' | ');
  if (anyOf ?? oneOf) return (anyOf ?? oneOf).map(typeOf).join(' | ');
  if (allOf) return allOf.map((part) => `(${typeOf(part)})`).join(' & ');
  if (Array.isArray(type)) return type.map((one) => typeOf({ ...schema, type: one })).join(' | ');
  return byType(type, schema);
}

function byType(type, schema) {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `(${typeOf(schema.items ?? {})})[]`;
    case 'object':
      return objectOf(schema);
    case undefined:
      return 'unknown';
    default:
      throw new Error(`the type ${type} is not known`);
  }
}

const named = (ref) => `components['schemas'][${JSON.stringify(ref.replace('#/components/schemas/', ''))}]`;

function objectOf({ properties = {}, required = [], additionalProperties }) {
  const known = Object.entries(properties).map(
    ([name, schema]) =>
      `${told(schema.description)}${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typeOf(schema)};`,
  );
  // Beside named properties others have any type at all, and so has an object of which nothing is said.
  const others =
    additionalProperties === false
      ? []
      : [`[name: string]: ${known.length > 0 ? 'unknown' : typeOf(additionalProperties || {})};`];
  const members = [...known, ...others];
  return members.length === 0 ? 'Record<string, never>' : `{ ${members.join('\n')} }`;
}

const told = (text) => (text === undefined ? '' : `/** ${text.replaceAll('*/', '*\\/')} */\n`);

const ofPlace = (parameters, place) => parameters.filter((parameter) => parameter.in === place);

function parametersOf(parameters) {
  const places = ['query', 'header', 'path'].map((place) => {
    const here = ofPlace(parameters, place);
    if (here.length === 0) return `${place}?: never;`;
    const members = here.map(
      ({ name, required, description, schema }) =>
        `${told(description)}${JSON.stringify(name)}${required ? '' : '?'}: ${typeOf(schema)};`,
    );
    return `${place}${here.some(({ required }) => required) ? '' : '?'}: { ${members.join('\n')} };`;
  });
  return `{ ${places.join('\n')}\ncookie?: never; }`;
}

function contentOf(content) {
  if (content === undefined) return 'never';
  const types = Object.entries(content).map(([type, { schema }]) => `${JSON.stringify(type)}: ${typeOf(schema)};`);
  return `{ ${types.join('\n')} }`;
}

function operationOf({ summary, description, parameters = [], requestBody, responses }) {
  const answers = Object.entries(responses).map(([status, answer]) =>
    answer.content && 'application/problem+json' in answer.content
      ? `${status}: ProblemAnswer;`
      : `${told(answer.description)}${status}: { headers: Record<string, unknown>; content${answer.content ? '' : '?'}: ${contentOf(answer.content)} };`,
  );
  const body = requestBody
    ? `requestBody${requestBody.required ? '' : '?'}: { content: ${contentOf(requestBody.content)} };`
    : 'requestBody?: never;';
  return {
    comment: told([summary, description].filter(Boolean).join(' ')),
    type: `{ parameters: ${parametersOf(parameters)};\n${body}\nresponses: { ${answers.join('\n')} }; }`,
  };
}

function pathOf(operations) {
  const methods = METHODS.map((method) => {
    if (!operations[method]) return `${method}?: never;`;
    const { comment, type } = operationOf(operations[method]);
    return `${comment}${method}: ${type};`;
  });
  return `{ ${methods.join('\n')} }`;
}

/** @param document as docs/openapi.json has it. @returns the types, as the formatter leaves them */
export function apiTypes({ paths, components }) {
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `${JSON.stringify(name)}: ${typeOf(schema)};`,
  );
  const routes = Object.entries(paths).map(([path, operations]) => `${JSON.stringify(path)}: ${pathOf(operations)};`);
  return formatted(
    [
      '// Made by `npm run api-types` from docs/openapi.json; changed there, never here.',
      `export interface components { schemas: { ${schemas.join('\n')} } }`,
      `interface ProblemAnswer { headers: Record<string, unknown>; content: { 'application/problem+json': components['schemas']['Problem'] } }`,
      `export interface paths { ${routes.join('\n')} }`,
    ].join('\n\n'),
  );
}

const formatted = (code) =>
  execFileSync(
    process.execPath,
    [at('node_modules/@biomejs/biome/bin/biome'), 'format', `--stdin-file-path=${OUTPUT}`],
    {
      cwd: at('.'),
      input: code,
      encoding: 'utf8',
    },
  );

function main() {
  const types = apiTypes(JSON.parse(readFileSync(at('docs/openapi.json'), 'utf8')));
  if (!process.argv.includes('--check')) return writeFileSync(at(OUTPUT), types);
  if (readFileSync(at(OUTPUT), 'utf8') === types) return undefined;
  process.exitCode = 1;
  return process.stderr.write(`${OUTPUT} is not what docs/openapi.json says: run "npm run api-types"\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
