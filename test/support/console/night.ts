/** The night of which the planned answers tell, and what it is about. */

export const NOW = '2026-03-14T02:40:00.000Z';
export const ago = (minutes: number): string => new Date(Date.parse(NOW) - minutes * 60_000).toISOString();
export const later = (minutes: number): string => ago(-minutes);

export const id = (nth: number): string =>
  `0195${(0x9000 + nth).toString(16)}-7c1e-7a40-8b3d-5e0c${(0x10000000 + nth * 7919).toString(16)}`;

export const IDS = {
  order: id(1),
  payment: id(2),
  refund: id(3),
  transfers: [id(4), id(5)],
  reversals: [id(6), id(7)],
  settlement: id(8),
  dispute: id(9),
  decision: id(10),
  channel: '0x7be1c2a94d5f60318e2b9a7c4d3f1e0a5b6c7d8e9f00112233445566778899aa',
} as const;
