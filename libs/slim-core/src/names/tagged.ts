declare const tag: unique symbol;

/** A value that cannot be passed where another kind of the same representation is expected. */
export type Tagged<Value, Name extends string> = Value & { readonly [tag]: Name };
