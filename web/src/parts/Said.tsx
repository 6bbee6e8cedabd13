/** What somebody typed, within a sentence of ours: whichever way its letters run, ours around it run as ever. */
export const Said = ({ text }: { readonly text: string }) => <bdi className="said">{text}</bdi>;
