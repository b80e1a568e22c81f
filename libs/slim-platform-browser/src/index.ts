export { SlimApp, type NodeAddress, type SlimAppOptions } from './slim-app.js';
export { browserCrypto } from './browser-crypto.js';
export { webSocketDialler, type WebSocketDiallerOptions } from './web-socket-dialler.js';
export type { CloseReport, WebSocketLike } from './web-socket-like.js';
