/** The SQLSTATEs that the engine acts on, by name. */
export const Sqlstate = {
  undefinedTable: '42P01',
  uniqueViolation: '23505',
  lockNotAvailable: '55P03',
  diskFull: '53100',
  invalidPassword: '28P01',
  unknownDatabase: '3D000',
} as const;

export function sqlstateOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
