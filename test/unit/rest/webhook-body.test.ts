import { describe, expect, it } from 'vitest';
import type { WebhookSource } from '../../../engine/auth/webhooks/webhook.ts';
import { webhookBody } from '../../../engine/rest/webhooks/webhook-body.ts';

const form = 'application/x-www-form-urlencoded; charset=utf-8';
const read = (source: WebhookSource, type: string, text: string) => webhookBody(source, type, Buffer.from(text));

describe('the body of a webhook', () => {
  it('is JSON as it came, number by number', () => {
    expect(read('GENERIC', 'application/json', '{"id": 12345678901234567890}').text).toBe(
      '{"id": 12345678901234567890}',
    );
    expect(read('STRIPE', '', '{"a":1}').value).toEqual({ a: 1 });
  });

  it("is the JSON in a form's payload, or the form itself", () => {
    expect(read('SLACK', form, `payload=${encodeURIComponent('{"type":"block_actions"}')}`).value).toEqual({
      type: 'block_actions',
    });
    expect(read('GITHUB', form, `payload=${encodeURIComponent('{"zen":"a+b"}')}`).value).toEqual({ zen: 'a+b' });
    expect(read('SLACK', form, 'command=%2Fweather&text=94070+now').value).toEqual({
      command: '/weather',
      text: '94070 now',
    });
    expect(read('GENERIC', form, 'a=1&a=2&payload=x').value).toEqual({ a: '1', payload: 'x' });
  });

  it('is refused where it is neither', () => {
    for (const text of ['', '[1]', 'null', '"x"', '{', '{"a":"\\u0000"}'])
      expect(() => read('GENERIC', 'application/json', text)).toThrow('the body');
    for (const source of ['STRIPE', 'LINEAR', 'SVIX', 'GITHUB'] as const)
      expect(() => read(source, form, 'a=1')).toThrow('takes no forms');
    expect(() => read('SLACK', form, 'payload=%7B')).toThrow('not valid JSON');
  });
});
