import { type ReactNode, useEffect, useId, useRef } from 'react';
import { Icon } from './Icon.js';

/** The browser's own: it keeps the focus, and Esc closes it. */
export function Dialog({
  title,
  opened,
  close,
  side = false,
  children,
}: {
  readonly title: string;
  readonly opened: boolean;
  readonly close: () => void;
  /** Along the edge of the screen. */
  readonly side?: boolean;
  readonly children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (opened) dialog.current?.showModal();
    else dialog.current?.close();
  }, [opened]);
  return (
    <dialog ref={dialog} className={side ? 'dialog dialog-side' : 'dialog'} aria-labelledby={id} onClose={close}>
      {opened ? (
        <>
          <div className="dialog-head">
            <h2 id={id}>{title}</h2>
            <button type="button" className="bare" aria-label="Close" onClick={close}>
              <Icon name="stop" size={16} />
            </button>
          </div>
          {children}
        </>
      ) : null}
    </dialog>
  );
}
