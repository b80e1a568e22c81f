/** Runs as ES modules and on the sources, so no test needs a build that is up to date. */
export default {
  roots: [
    '<rootDir>/libs',
    '<rootDir>/src',
    '<rootDir>/test',
    '<rootDir>/examples',
    '<rootDir>/bench',
  ],
  testMatch: ['**/*.spec.ts'],
  maxWorkers: 2,
  // A worker keeps the ES modules of all files it ran, over a gigabyte in the end, and each full collection of garbage
  // walks them. A new one takes over before that.
  workerIdleMemoryLimit: '300MB',
  reporters: ['default', '<rootDir>/test/support/stuck-reporter.mjs'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^@nestjs-slim/core$': '<rootDir>/libs/slim-core/src/index.ts',
    '^@nestjs-slim/core/protobuf$': '<rootDir>/libs/slim-core/src/wire/protobuf.ts',
    '^@nestjs-slim/core/testing$': '<rootDir>/libs/slim-core/src/testing/index.ts',
    '^@nestjs-slim/platform-node$': '<rootDir>/libs/slim-platform-node/src/index.ts',
    '^@nestjs-slim/platform-browser$': '<rootDir>/libs/slim-platform-browser/src/index.ts',
    '^@nestjs-slim/node$': '<rootDir>/src/node/src/index.ts',
    '^nestjs-slim$': '<rootDir>/libs/nestjs-slim/src/index.ts',
    '^nestjs-slim/(msgpack|protobuf)$': '<rootDir>/libs/nestjs-slim/src/codecs/$1.ts',
    '^nestjs-slim/testing$': '<rootDir>/libs/nestjs-slim/src/testing/index.ts',
    '^nestjs-slim/terminus$': '<rootDir>/libs/nestjs-slim/src/health/slim-health-indicator.ts',
    '^nestjs-slim/opentelemetry$': '<rootDir>/libs/nestjs-slim/src/opentelemetry/open-telemetry.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};
