import { message, string, sub, uint64, type Infer } from './schema.js';

// message NameId      { uint64 id_0 = 1 (high half); uint64 id_1 = 2; }
// message EncodedName { uint64 component_0 = 1; component_1 = 2; component_2 = 3; NameId name_id = 4; }
// message StringName  { string str_component_0 = 1; str_component_1 = 2; str_component_2 = 3; }
// message Name        { EncodedName name = 1; StringName str_name = 2; }
const nameIdMessage = message({ high: uint64(1), low: uint64(2) });
export const encodedNameMessage = message({
  component0: uint64(1),
  component1: uint64(2),
  component2: uint64(3),
  id: sub(4, nameIdMessage),
});
const stringNameMessage = message({ text0: string(1), text1: string(2), text2: string(3) });
export const nameMessage = message({
  encoded: sub(1, encodedNameMessage),
  text: sub(2, stringNameMessage),
});
export type NameMessage = Infer<typeof nameMessage>;
