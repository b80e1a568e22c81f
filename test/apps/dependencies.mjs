/** Versions of Nest's packages, which do not go up together. */
const nest = {
  11: { '@nestjs/common': '~11.2.0', '@nestjs/core': '~11.2.0', '@nestjs/terminus': '^11.0.0' },
  12: { '@nestjs/common': '^12.0.0', '@nestjs/core': '^12.0.0', '@nestjs/terminus': '^12.0.0' },
};

/** What an application has beside our packages: their peers, the optional ones included. */
export function dependencies(major) {
  return {
    ...nest[major],
    '@bufbuild/protobuf': '^2.2.0',
    '@msgpack/msgpack': '^3.0.0',
    '@nestjs/microservices': nest[major]['@nestjs/core'],
    '@opentelemetry/api': '^1.9.0',
    '@types/node': '^20.19.0',
    'reflect-metadata': '^0.2.0',
    rxjs: '^7.1.0',
  };
}
