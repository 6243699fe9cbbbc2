/** The files of a stack: read, checked by the loader before they are saved, saved. */
import { z } from 'zod'
import { isLevel } from '../view/log-level.ts'
import { logText } from './log-topic.ts'
import { problemRows } from './problem-rows.ts'
import type { Roads } from './roads.ts'
import { answered, post, type Route, read } from './routes.ts'
import { listFiles, readText, writeText } from './stack-files.ts'
import { stackModel } from './stack-model.ts'
import type { Stacks } from './stacks.ts'
import type { LogWish } from './wire.ts'

const path = z.string().min(1).max(4096)
const text = z.string().max(1024 * 1024)

export function fileRoutes(stacks: Stacks, roads: Roads): readonly Route[] {
  const filesOf = async (stack: string) => {
    const place = stacks.place(stack)
    return { place, named: (await roads.read(place)).files }
  }
  return [
    read('GET /api/stacks/{stack}/model', async ({ params }) => {
      const place = stacks.place(params['stack']!)
      return stackModel(await roads.read(place), place)
    }),
    read('GET /api/stacks/{stack}/files', async ({ params, query }) =>
      listFiles(await filesOf(params['stack']!), query.get('folder') ?? undefined),
    ),
    read('GET /api/stacks/{stack}/file', async ({ params, query }) =>
      readText(await filesOf(params['stack']!), query.get('path') ?? ''),
    ),
    post(
      'PUT /api/stacks/{stack}/file',
      { changes: true, body: z.object({ path, text, version: z.string().max(64).optional() }) },
      async ({ params, body }) => writeText(await filesOf(params['stack']!), body, body.version),
    ),
    post(
      'POST /api/stacks/{stack}/check',
      // it changes nothing, but has the loader read, and quote, whatever file the text names
      { changes: true, body: z.object({ texts: z.record(path, text) }) },
      async ({ params, body }) => {
        const place = stacks.place(params['stack']!)
        const { problems } = await roads.read(place, new Map(Object.entries(body.texts)))
        return problemRows(problems, place.directory)
      },
    ),
    read('GET /api/stacks/{stack}/logs.txt', async ({ params, query, response }) => {
      const stack = params['stack']!
      stacks.check(stack)
      const control = new AbortController()
      response.on('close', () => control.abort())
      const file = `${stack}.log`.replace(/[^\w.-]/g, '_')
      response.writeHead(200, {
        'content-type': 'text/plain; charset=utf-8',
        'content-disposition': `attachment; filename="${file}"`,
      })
      for await (const line of logText({ client: roads.client, stack, wish: wishOf(query), signal: control.signal }))
        if (!response.write(line)) await new Promise<void>(resolve => response.once('drain', resolve))
      response.end()
      return answered
    }),
  ]
}

function wishOf(query: URLSearchParams): LogWish {
  const level = query.get('level')
  const grep = query.get('grep')
  return {
    follow: false,
    services: query.getAll('services'),
    ...(grep && { grep }),
    ...(level && isLevel(level) && { level }),
  }
}
