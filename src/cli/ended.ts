/** The last word on a container whose failure ended an attached `up`: its last lines, how it ended, where the stack speaks of it. */
import { containerEndpoints } from '../api/containers.ts'
import type { Client } from '../client/client.ts'
import { isFailure } from '../lib/failure.ts'
import { printable } from '../lib/text.ts'
import type { Project } from '../model/project.ts'
import { annotationsOf } from './annotations.ts'
import type { Call } from './command.ts'
import { dumpLimits, lastLines } from './log-dump.ts'

export interface Ended {
  readonly client: Client
  readonly project: Project
  readonly service: string
  /** Its name. */
  readonly container: string
  readonly exitCode: number
}

export async function tellEnded(call: Call, { client, project, service, container, exitCode }: Ended): Promise<void> {
  const annotations = annotationsOf(call)
  const lines = await lastLines(client, container, dumpLimits(annotations).lines)
  if (lines.length > 0) annotations.block(`Last output of ${container}:`, lines)
  const because = (await isOutOfMemory(client, container)) ? ', out of memory' : ''
  const message = `container ${container} exited with code ${exitCode}${because}`
  const { screen } = call
  screen.say(`${screen.paintStatus(['red', 'bold'], 'error')} ${printable(message)}`)
  annotations.note({
    severity: 'error',
    title: `${service} failed`,
    place: project.place(['services', service]),
    message,
  })
}

async function isOutOfMemory(client: Client, id: string): Promise<boolean> {
  try {
    return (await client.call(containerEndpoints.containerInspect, { params: { id } })).State.OOMKilled
  } catch (error) {
    // removed by itself when it ended
    if (isFailure(error, 'not-found')) return false
    throw error
  }
}
