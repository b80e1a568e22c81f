import { describe, expect, it } from '@jest/globals';
import { layerOf } from './profile-layer.mjs';

const layer = (url: string, functionName = 'run') =>
  layerOf({ functionName, url, lineNumber: 0 }, 'caller');

describe('layerOf', () => {
  it.each([
    ['file:///home/me/project/libs/slim-core/dist/session/window.js', 'slim-core/session'],
    ['file:///home/me/project/libs/slim-platform-node/dist/index.js', 'slim-platform-node'],
    ['file:///home/me/project/node_modules/rxjs/dist/cjs/internal/Observable.js', 'rxjs'],
    ['file:///home/me/node_modules/a/node_modules/@nestjs/core/router.js', '@nestjs/core'],
    ['file:///home/me/project/bench/programs/slim-app.mjs', 'bench'],
    ['node:internal/crypto/sig', 'node:crypto'],
    ['node:crypto', 'node:crypto'],
    ['node:internal/http2/core', 'node:http2'],
    ['node:internal/stream_base_commons', 'node:streams'],
    ['node:internal/streams/readable', 'node:streams'],
    ['node:internal/timers', 'node:timers'],
    ['node:_http_agent', 'node:http'],
  ])('puts %s into %s', (url, expected) => {
    expect(layer(url)).toBe(expected);
  });

  it('keeps what the engine does apart', () => {
    expect(layer('', '(garbage collector)')).toBe('garbage collector');
  });

  it('counts what is written in C++ for the caller', () => {
    expect(layer('', 'signOneShot')).toBe('caller');
  });
});
