import { Link } from '@tanstack/react-router';
import { Fragment, type ReactNode } from 'react';

/** As much of Markdown as our own runbooks use. Text stays text: nothing becomes HTML that is not made here. */
export function Markdown({ text }: { readonly text: string }) {
  return (
    <div className="prose">
      {blocksOf(text).map((block, place) => (
        <Block key={place} block={block} />
      ))}
    </div>
  );
}

type Block =
  | { readonly type: 'heading'; readonly level: number; readonly text: string }
  | { readonly type: 'code'; readonly text: string }
  | { readonly type: 'list'; readonly start: number | undefined; readonly items: readonly string[] }
  | { readonly type: 'table'; readonly rows: readonly (readonly string[])[] }
  | { readonly type: 'paragraph'; readonly text: string };

/** Steps go on being counted after what stands between them. */
function numberOf(line: string): number | undefined {
  const digits = /^\s*(\d+)\./.exec(line)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const dedented = (lines: readonly string[]): string => {
  const margin = Math.min(...lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(margin)).join('\n');
};

const ITEM = /^\s*(?:[-*]|\d+\.)\s+/;

function blocksOf(text: string): readonly Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  let at = 0;
  const takeWhile = (holds: (line: string) => boolean): string[] => {
    const start = at;
    while (at < lines.length && holds(lines[at] ?? '')) at += 1;
    return lines.slice(start, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? '';
    const heading = /^(#{1,4}) (.*)$/.exec(line);
    if (line.trim() === '') at += 1;
    else if (heading) {
      blocks.push({ type: 'heading', level: heading[1]?.length ?? 2, text: heading[2] ?? '' });
      at += 1;
    } else if (/^\s*```/.test(line)) {
      at += 1;
      blocks.push({ type: 'code', text: dedented(takeWhile((one) => !/^\s*```/.test(one))) });
      at += 1;
    } else if (line.startsWith('|'))
      blocks.push({ type: 'table', rows: rowsOf(takeWhile((one) => one.startsWith('|'))) });
    else if (ITEM.test(line))
      blocks.push({
        type: 'list',
        start: numberOf(line),
        items: itemsOf(takeWhile((one) => ITEM.test(one) || /^\s{2,}\S/.test(one))),
      });
    else
      blocks.push({
        type: 'paragraph',
        text: takeWhile((one) => one.trim() !== '' && !/^(?:#|\s*```|\|)/.test(one) && !ITEM.test(one)).join(' '),
      });
  }
  return blocks;
}

const itemsOf = (lines: readonly string[]): readonly string[] =>
  lines.reduce<string[]>((items, line) => {
    if (ITEM.test(line)) return [...items, line.replace(ITEM, '')];
    return [...items.slice(0, -1), `${items.at(-1) ?? ''} ${line.trim()}`];
  }, []);

const rowsOf = (lines: readonly string[]): readonly (readonly string[])[] =>
  lines
    .filter((line) => !/^\|[\s:|-]+\|$/.test(line))
    .map((line) =>
      line
        .replace(/^\||\|\s*$/g, '')
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );

function Block({ block }: { readonly block: Block }) {
  switch (block.type) {
    case 'heading': {
      const Heading = (['h2', 'h2', 'h3', 'h4'] as const)[block.level - 1] ?? 'h4';
      return (
        <Heading>
          <Inline text={block.text} />
        </Heading>
      );
    }
    case 'code':
      return (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case 'list': {
      const ListTag = block.start === undefined ? 'ul' : 'ol';
      return (
        <ListTag {...(block.start !== undefined && { start: block.start })}>
          {block.items.map((item, place) => (
            <li key={place}>
              <Inline text={item} />
            </li>
          ))}
        </ListTag>
      );
    }
    case 'table':
      return <TableBlock rows={block.rows} />;
    case 'paragraph':
      return (
        <p>
          <Inline text={block.text} />
        </p>
      );
    default:
      return null;
  }
}

function TableBlock({ rows: [head = [], ...rows] }: { readonly rows: readonly (readonly string[])[] }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-wrap" tabIndex={0} role="group" aria-label={head.join(', ')}>
      <table className="table table-prose">
        <thead>
          <tr>
            {head.map((cell, place) => (
              <th key={place} scope="col">
                <Inline text={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, nth) => (
            <tr key={nth}>
              {row.map((cell, place) => (
                <td key={place}>
                  <Inline text={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const INLINE = /(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*|\[[^\]]+\]\([^)\s]+\))/;

function Inline({ text }: { readonly text: string }) {
  return text.split(INLINE).map((part, place) => <Fragment key={place}>{inlined(part)}</Fragment>);
}

function inlined(part: string): ReactNode {
  if (/^`.+`$/.test(part)) return <code>{part.slice(1, -1)}</code>;
  if (/^\*\*.+\*\*$/.test(part)) return <strong>{part.slice(2, -2)}</strong>;
  if (/^\*[^*]+\*$/.test(part)) return <em>{part.slice(1, -1)}</em>;
  const link = /^\[([^\]]+)\]\(([^)\s]+)\)$/.exec(part);
  if (!link) return part;
  const [, words = '', target = ''] = link;
  const name = /^([a-z0-9-]+)\.md(?:#.*)?$/.exec(target)?.[1];
  if (name)
    return (
      <Link to="/runbooks/$name" params={{ name }}>
        {words}
      </Link>
    );
  return /^https?:\/\//.test(target) ? (
    <a href={target} target="_blank" rel="noreferrer">
      {words}
    </a>
  ) : (
    words
  );
}
