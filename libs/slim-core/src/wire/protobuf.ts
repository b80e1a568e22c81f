// The field kinds that message definitions are made of, for envelopes of layers above.
export {
  bool,
  bytes,
  message,
  optionalBytes,
  string,
  textMap,
  uint32,
  type Infer,
  type MessageType,
  type TextMap,
} from './schema.js';
