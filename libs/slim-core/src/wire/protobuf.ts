// The field kinds that message definitions are made of, for envelopes of layers above and for tools that
// read frames.
export {
  bool,
  bytes,
  message,
  optionalBytes,
  repeatedBytes,
  string,
  sub,
  textMap,
  uint32,
  uint64,
  type Infer,
  type MessageType,
  type TextMap,
} from './schema.js';
export { ByteWriter } from './byte-writer.js';
export { ProtobufReader, utf8Text } from './protobuf-reader.js';
export { RecentBytes } from './recent-bytes.js';
