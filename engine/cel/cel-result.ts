/** What an expression gives, in plain values. */
export type CelValue = string | number | boolean | null | readonly CelValue[] | { readonly [key: string]: CelValue };

/** An expression that fails is an answer, not an exception: its reason goes where the user sees it. */
export type CelResult = { ok: true; value: CelValue } | { ok: false; message: string };
