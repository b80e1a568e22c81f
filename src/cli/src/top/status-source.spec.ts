import { describe, expect, it } from '@jest/globals';
import { statusUrl } from './status-source.js';

describe('statusUrl', () => {
  it('is beside the status page, wherever that is', () => {
    expect(statusUrl('http://127.0.0.1:46380').href).toBe('http://127.0.0.1:46380/status.json');
    expect(statusUrl('https://host/nodes/a/').href).toBe('https://host/nodes/a/status.json');
  });

  it.each(['127.0.0.1:46380', 'slim://host', ''])('refuses "%s"', (text) => {
    expect(() => statusUrl(text)).toThrow(expect.objectContaining({ code: 'invalid-config' }));
  });
});
