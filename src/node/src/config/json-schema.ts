import { z } from 'zod';
import { configFile } from './schema/config-file.js';

const reference = {
  type: 'string',
  pattern: '^\\$\\{(env|file):.+\\}$',
  description: 'Replaced by an environment variable or the text of a file',
};

/**
 * The schema of configuration files for editors: today's spelling, with a reference wherever text may
 * stand. What needs two values compared, and what is read but not followed, only `slim config check` tells.
 */
function configJsonSchema() {
  return z.toJSONSchema(configFile, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema, path }) => {
      if (path.length === 0) jsonSchema.title = 'Configuration of a SLIM node';
      const { type, enum: words, pattern } = jsonSchema;
      if (type !== 'string' || (words === undefined && pattern === undefined)) return;
      if (path.includes('propertyNames')) return;
      const { description, ...written } = jsonSchema;
      for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
      if (description !== undefined) jsonSchema.description = description;
      jsonSchema.anyOf = [written, { $ref: '#/definitions/reference' }];
    },
  });
}

/** What stands in docs/slim-config.schema.json. */
export function configJsonSchemaText(): string {
  const { definitions, ...schema } = configJsonSchema();
  const all = { ...schema, definitions: { ...(definitions as object | undefined), reference } };
  return `${JSON.stringify(all, undefined, 2)}\n`;
}
