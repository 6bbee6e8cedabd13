import { Textarea } from '@mantine/core';

/** What a person says beside what he does; nothing is done without it. */
export function NoteField({
  description,
  value,
  set,
}: {
  readonly description: string;
  readonly value: string;
  readonly set: (note: string) => void;
}) {
  return (
    <Textarea
      label="Note"
      description={description}
      required
      maxLength={2_000}
      value={value}
      onChange={({ currentTarget }) => set(currentTarget.value)}
    />
  );
}
