import { describe, expect, it } from '@jest/globals';
import { addToModule } from './add-to-module.js';

const moduleOf = (metadata: string) => `@Module(${metadata})\nexport class AppModule {}\n`;

describe('addToModule', () => {
  it.each([
    ['an empty list', '{ imports: [] }', '{ imports: [X] }'],
    ['a list in one line', '{ imports: [A, B] }', '{ imports: [A, B, X] }'],
    [
      'a list of lines',
      '{\n  imports: [\n    A,\n    B.with({ c: 1 }),\n  ],\n}',
      '{\n  imports: [\n    A,\n    B.with({ c: 1 }),\n    X,\n  ],\n}',
    ],
    ['no metadata', '{}', '{\n  imports: [X],\n}'],
    ['no such list', '{ providers: [P] }', '{ providers: [P], imports: [X] }'],
    [
      'no such list among lines',
      '{\n  providers: [P],\n}',
      '{\n  providers: [P],\n  imports: [X],\n}',
    ],
    [
      'no trailing comma',
      '{\n  imports: [\n    A\n  ]\n}',
      '{\n  imports: [\n    A,\n    X\n  ]\n}',
    ],
  ])('appends where there is %s', (_, before, after) => {
    expect(addToModule(moduleOf(before), 'imports', 'X')).toBe(moduleOf(after));
  });

  it.each([
    ['no module', 'export class AppModule {}'],
    ['only a mention of one', '// @Module({ imports: [] })\nexport class AppModule {}'],
    ['metadata from elsewhere', moduleOf('metadata')],
    ['a list from elsewhere', moduleOf('{ imports: everything }')],
    ['a list by its name alone', moduleOf('{ imports }')],
    ['no argument', moduleOf('')],
  ])('answers with nothing when there is %s', (_, text) => {
    expect(addToModule(text, 'imports', 'X')).toBeUndefined();
  });
});
