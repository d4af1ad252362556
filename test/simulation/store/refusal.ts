import { DatabaseError } from 'pg';

/** An error as the driver has it from the server. */
export function refusal(sqlstate: string, message: string, severity: 'ERROR' | 'FATAL' = 'ERROR'): DatabaseError {
  const error = new DatabaseError(message, message.length, 'error');
  error.code = sqlstate;
  error.severity = severity;
  return error;
}
