/** Drawn here, on 16 by 16, so that each sign is ours and none is a font. Always beside a word: hidden from readers. */
const PATHS = {
  check: 'M3.5 8.5l3 3 6-7',
  question: 'M5.8 6a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M8 12.2v.1',
  arrow: 'M3 8h9M8.5 4.5L12 8l-3.5 3.5',
  dots: 'M8 3.200a4.800 4.800 0 1 1 0 9.600 4.800 4.800 0 0 1 0-9.600z',
  none: 'M3.8 3.8l8.4 8.4M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11z',
  hand: 'M8 2.5l6 10.5H2L8 2.5zM8 6.5v3M8 11.3v.1',
  clock: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM8 5v3.2l2.2 1.3',
  stop: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  pause: 'M5.5 4v8M10.5 4v8',
  play: 'M5 3.5l7 4.5-7 4.5z',
  back: 'M6.5 4L3 7.5 6.5 11M3 7.5h6.5a3.5 3.5 0 0 1 0 7H8',
  search: 'M7 3a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM10 10l3.5 3.5',
  sun: 'M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z',
  screen: 'M2.5 3.5h11v7h-11zM6 13.5h4',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  out: 'M9.5 2.5h4v4M13.5 2.5L7.5 8.5M11.5 9.5v4h-9v-9h4',
  copy: 'M5.5 5.5h7v8h-7zM3.5 10.5v-8h7',
  keys: 'M1.5 4.5h13v7h-13zM4 7h.01M6.5 7h.01M9 7h.01M11.5 7h.01M5 9.5h6',
  down: 'M4 6l4 4 4-4',
  columns: 'M2.5 3.5h11v9h-11zM6 3.5v9M10 3.5v9',
  csv: 'M8 2.5v7M5 7l3 3 3-3M3 13h10',
  two: 'M5.5 3a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM2 13c0-2.3 1.5-4 3.500-4s3.500 1.700 3.500 4M10.500 4a1.800 1.800 0 1 1 0 3.600M11 9.200c1.800.2 3 1.700 3 3.800',
  book: 'M3 3h4a1 1 0 0 1 1 1v9a1 1 0 0 0-1-1H3zM13 3H9a1 1 0 0 0-1 1v9a1 1 0 0 1 1-1h4z',
  pulse: 'M1.500 8h3l2-5 3 10 2-5h3',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 14 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={size > 14 ? 1.3 : 1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
