import { useEffect, useRef, useSyncExternalStore } from 'react';

/** Single keys can be switched off (WCAG 2.1.4): whoever dictates would press them by speaking. */
const SWITCH = 'makegood.keys';
const listeners = new Set<() => void>();

const isOn = (): boolean => localStorage.getItem(SWITCH) !== 'off';
export const switchKeys = (on: boolean): void => {
  localStorage.setItem(SWITCH, on ? 'on' : 'off');
  for (const tell of listeners) tell();
};
export const useKeysAreOn = (): boolean =>
  useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, isOn);

export const KEYS: readonly (readonly [key: string, does: string])[] = [
  ['/', 'search'],
  ['j', 'next row'],
  ['k', 'row before'],
  ['Enter', 'open the row'],
  ['d', 'decide about the item'],
  ['g o', 'overview'],
  ['g a', 'decisions for a second person'],
  ['g s', 'settlements'],
  ['g t', 'transfers'],
  ['g r', 'reversals'],
  ['g w', 'webhooks'],
  ['?', 'these keys'],
  ['Esc', 'close, or leave a field'],
];

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
  !/^(?:checkbox|radio|button)$/.test((target as HTMLInputElement).type ?? '');

/** One second to type the second key of two. */
const TOGETHER_MS = 1_000;

/** @param actions by key, or by two keys with a space between them */
export function useKeys(actions: Readonly<Record<string, () => void>>): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    let first = { key: '', at: 0 };
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (!isOn() || isTyping(event.target) || document.querySelector('dialog[open]')) return;
      const together = event.timeStamp - first.at < TOGETHER_MS ? `${first.key} ${event.key}` : '';
      const action = latest.current[together] ?? latest.current[event.key];
      first = { key: event.key, at: event.timeStamp };
      if (!action) return;
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

/** Moves the focus from row to row of the list on this page. */
export function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')];
  const here = rows.findIndex((row) => row === document.activeElement);
  const next = rows[here === -1 ? (step === 1 ? 0 : rows.length - 1) : here + step];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}
