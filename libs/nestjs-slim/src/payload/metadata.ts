import type { Metadata } from '@nestjs-slim/core';
import { noMetadata } from '../telemetry.js';

const noTexts: ReadonlyMap<string, string> = new Map();

/** Metadata as it stands in an envelope. */
export function toTexts(metadata: Metadata): ReadonlyMap<string, string> {
  const entries = Object.entries(metadata);
  return entries.length === 0 ? noTexts : new Map(entries);
}

/** Metadata as applications see it. */
export function fromTexts(texts: ReadonlyMap<string, string>): Metadata {
  return texts.size === 0 ? noMetadata : Object.fromEntries(texts);
}
