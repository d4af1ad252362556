import { DatabaseError } from 'pg';
import { expect, test } from 'vitest';
import { classifyFailure, sqlstateOf } from '../../../engine/postgres/sqlstate.ts';

function databaseError(code: string): DatabaseError {
  const error = new DatabaseError('refused', 1, 'error');
  error.code = code;
  return error;
}

test.each([
  ['23505', 'definite'],
  ['22021', 'definite'],
  ['53100', 'definite'],
  ['40001', 'retryable'],
  ['55P03', 'retryable'],
  ['40003', 'lost'],
  ['08006', 'lost'],
  ['57P01', 'lost'],
  ['25P03', 'lost'],
] as const)('SQLSTATE %s is %s', (code, failure) => {
  expect(classifyFailure(databaseError(code))).toBe(failure);
  expect(sqlstateOf(databaseError(code))).toBe(code);
});

test('an error of the socket is a lost connection, even one that looks like a SQLSTATE', () => {
  const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
  expect(sqlstateOf(broken)).toBeUndefined();
  expect(classifyFailure(broken)).toBe('lost');
  expect(classifyFailure(new Error('Connection terminated unexpectedly'))).toBe('lost');
});
