// The backend that the tutorial puts behind nginx: greets the log and echoes every message.
const { WebSocketServer } = require('ws');

const port = Number(process.env.PORT || 3000);
const server = new WebSocketServer({ host: '127.0.0.1', port });

server.on('connection', (socket) => {
  console.log('Client connected');
  socket.on('error', console.error);
  socket.on('message', (message) => {
    console.log(`Received: ${message}`);
    socket.send(`Echo: ${message}`);
  });
});

server.on('listening', () => console.log(`Listening on 127.0.0.1:${port}`));
