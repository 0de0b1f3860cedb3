"""Forwards TCP connections on 127.0.0.1 to a port there, until it is ended.  tcp_proxy.py PORT FILE [OWN]: writes its port to FILE."""
import asyncio
import sys


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def connected(reader, writer):
    try:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    except OSError:
        writer.close()
        return
    await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))


async def main():
    server = await asyncio.start_server(connected, "127.0.0.1", int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    with open(sys.argv[2], "w") as f:
        f.write(str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()


asyncio.run(main())
