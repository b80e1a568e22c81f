// Writes docs/slim-config.schema.json. Needs the build.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { configJsonSchemaText } from './dist/config/json-schema.js';

const file = fileURLToPath(new URL('../../docs/slim-config.schema.json', import.meta.url));
const options = await prettier.resolveConfig(file);
writeFileSync(file, await prettier.format(configJsonSchemaText(), { ...options, parser: 'json' }));
