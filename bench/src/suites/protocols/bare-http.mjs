/** A server of node:http that does nothing but answer: `node bare-http.mjs <port> <bytes>`. What ours is compared with. */
import { createServer } from 'node:http'

const [port, bytes] = process.argv.slice(2)
const value = 'v'.repeat(Number(bytes))
const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': value.length }

createServer((request, response) => {
  if (request.url === '/pid') {
    response.end(String(process.pid))
    return
  }
  response.writeHead(200, headers)
  response.end(value, 'latin1')
}).listen(Number(port), '127.0.0.1')
