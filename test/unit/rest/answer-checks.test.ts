import { describe, expect, it } from 'vitest';
import { AnswerChecks } from '../../helpers/answer-checks.ts';

const checks = new AnswerChecks();
const at = '/api/v1/version';

describe('the comparison of answers with the OpenAPI document', () => {
  it('passes what the document says', () => {
    const version = { method: 'GET', url: `${at}?x=1`, status: 200, body: '{"version":"v1"}' };
    expect(checks.difference(version)).toBeUndefined();
    expect(checks.difference({ method: 'GET', url: '/api/live', status: 200, body: 'ok' })).toBeUndefined();
    const none = { method: 'GET', url: '/api/nothing', status: 404, body: '{"errors":[{"description":"no"}]}' };
    expect(checks.difference(none)).toBeUndefined();
  });

  it.each([
    ['a field that is missing', { method: 'GET', url: at, status: 200, body: '{}' }],
    ['a field that it does not name', { method: 'GET', url: at, status: 200, body: '{"version":"v1","more":1}' }],
    ['a field of another type', { method: 'GET', url: at, status: 200, body: '{"version":null}' }],
    ['a status that it does not name', { method: 'GET', url: at, status: 201, body: '{"version":"v1"}' }],
    ['an error of another shape', { method: 'GET', url: at, status: 400, body: '{"error":"no"}' }],
    ['a path that it does not have', { method: 'GET', url: '/api/nothing', status: 200, body: '{}' }],
    ['what is no JSON', { method: 'GET', url: at, status: 200, body: 'ok' }],
    [
      'a body where there is none',
      { method: 'DELETE', url: '/api/v1/tenants/x/rate-limits?key=a', status: 204, body: '{}' },
    ],
  ])('tells of %s', (_, answer) => {
    expect(checks.difference(answer)).toMatch(`${answer.method} ${answer.url.split('?')[0]} answered ${answer.status}`);
  });
});
