/** The end of an answer: its status, type and bytes. */
import type { ServerResponse } from 'node:http'

export function answerJson(response: ServerResponse, status: number, data: unknown): void {
  end(response, status, 'application/json', JSON.stringify(data ?? null))
}

export function end(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const charset = type.startsWith('text/') || type === 'application/json' ? '; charset=utf-8' : ''
  response.writeHead(status, { 'content-type': `${type}${charset}`, 'content-length': bytes.length })
  response.end(bytes)
}
