import { describe, expect, it } from '@jest/globals';
import { frame } from '../../libs/slim-core/src/wire/frame.js';
import {
  allFrames,
  captureNames,
  frameVectors,
  fromHex,
  readCapture,
  toHex,
} from '../support/vectors.js';
import { inFull, shortened, toProtoJson } from './proto-json.js';

describe('frame', () => {
  it.each(allFrames())('encodes again to the bytes it was read from: $title', ({ bytes }) => {
    expect(toHex(frame.encode(frame.decode(bytes)))).toBe(toHex(bytes));
  });

  it.each(frameVectors())('reads the fields of $name', ({ hex, decoded }) => {
    expect(toProtoJson(frame.decode(fromHex(hex)), inFull)).toStrictEqual(decoded);
  });

  it.each(captureNames)('reads the fields of every message of %s', (name) => {
    const { entries } = readCapture(name);
    const read = entries.map(({ hex }) => toProtoJson(frame.decode(fromHex(hex)), shortened));
    expect(read).toStrictEqual(entries.map(({ decoded }) => decoded));
  });
});
