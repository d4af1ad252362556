const halfPair = /\p{Surrogate}/u;

/** Why a text cannot be stored as it is: Postgres refuses NUL, and half of a surrogate pair would come back as another text. */
export function unstorable(text: string): string | undefined {
  if (text.includes('\0')) return 'holds a NUL character';
  return halfPair.test(text) ? 'holds half of a surrogate pair' : undefined;
}
