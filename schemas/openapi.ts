/** The endpoint table as an OpenAPI 3.1 document: what the engine serves, for tools. */
import { z } from 'zod'
import { bodySchema } from '../src/api/body-schema.ts'
import type { Endpoint } from '../src/api/endpoint.ts'
import { endpoints } from '../src/api/endpoints.ts'
import { newestVersion } from '../src/api/version.ts'

const queryTypes: Readonly<Record<string, object>> = {
  string: { type: 'string' },
  strings: { type: 'array', items: { type: 'string' } },
  boolean: { type: 'boolean' },
  integer: { type: 'integer' },
  time: { type: 'string', description: 'Seconds since the epoch, with up to nine decimals' },
  filters: { type: 'string', description: 'JSON: {"label":["a=b"]} or {"label":{"a=b":true}}' },
}

const replyTypes: Readonly<Record<string, string>> = {
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
  lines: 'application/json',
  progress: 'application/json',
  output: 'application/vnd.docker.multiplexed-stream',
  hijack: 'application/vnd.docker.raw-stream',
  archive: 'application/x-tar',
}

export function openapi(): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const endpoint of Object.values(endpoints as Readonly<Record<string, Endpoint>>)) {
    const path = endpoint.path.replaceAll('*}', '}')
    paths[path] ??= {}
    paths[path][endpoint.method.toLowerCase()] = operation(endpoint)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'tscompose engine',
      description:
        'The part of the Docker Engine API that the tscompose engine knows. Every path may be led by /v<version>.',
      version: newestVersion,
      license: { name: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: { Error: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] } },
    },
  }
}

function operation(endpoint: Endpoint): object {
  const schema = bodySchema(endpoint)
  const type = replyTypes[endpoint.reply.kind]
  return {
    operationId: endpoint.name,
    parameters: [
      ...[...endpoint.path.matchAll(/\{(\w+)\*?\}/g)].map(m => ({
        name: m[1],
        in: 'path',
        required: true,
        schema: { type: 'string' },
      })),
      ...Object.entries(endpoint.query).map(([name, kind]) => ({ name, in: 'query', schema: queryTypes[kind] })),
      ...Object.values(endpoint.headers).map(name => ({ name, in: 'header', schema: { type: 'string' } })),
    ],
    ...(endpoint.body.kind === 'none' ? {} : { requestBody: requestBody(endpoint, schema) }),
    responses: {
      [['hijack', 'connection', 'websocket'].includes(endpoint.reply.kind) ? 101 : endpoint.status]: {
        description: endpoint.reply.kind,
        ...(type ? { content: { [type]: {} } } : {}),
      },
      default: {
        description: 'The message says what went wrong',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

function requestBody(endpoint: Endpoint, schema: z.ZodType | undefined): object {
  const content = schema
    ? { 'application/json': { schema: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) } }
    : { 'application/x-tar': {} }
  return { required: !endpoint.body.optional, content }
}
