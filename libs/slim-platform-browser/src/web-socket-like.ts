/** As much of a browser's WebSocket as a link uses. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: CloseReport) => void): void;
}

/** What a browser tells of the end. */
export interface CloseReport {
  /** RFC 6455 section 7.4.1. */
  readonly code: number;
  readonly reason: string;
}
