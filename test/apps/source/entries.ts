// Compiled, not run: the declarations of every entry hold beside any version of Nest.
export type * as Core from '@nestjs-slim/core';
export type * as CoreProtobuf from '@nestjs-slim/core/protobuf';
export type * as PlatformNode from '@nestjs-slim/platform-node';
export type * as NestjsSlim from 'nestjs-slim';
export type * as Msgpack from 'nestjs-slim/msgpack';
export type * as OpenTelemetry from 'nestjs-slim/opentelemetry';
export type * as Protobuf from 'nestjs-slim/protobuf';
export type * as Terminus from 'nestjs-slim/terminus';
export type * as Testing from 'nestjs-slim/testing';
