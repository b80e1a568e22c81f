export { SlimApp, type NodeAddress, type SlimAppOptions } from './slim-app.js';
export { SlimNode, type SlimNodeOptions } from './slim-node.js';
export { nodeCrypto } from './node-crypto.js';
export { http2Dialler, type Http2DiallerOptions } from './http2-dialler.js';
export { listenHttp2, type Http2ListenerOptions } from './http2-listener.js';
export { grpcJsDialler, type GrpcJsDiallerOptions } from './grpc-js-dialler.js';
export { listenGrpcJs, type GrpcJsListenerOptions } from './grpc-js-listener.js';
