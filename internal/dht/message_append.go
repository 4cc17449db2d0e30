package dht

// append encodes the message canonically: sorted keys, only known fields.
func (m *message) append(dst []byte) []byte {
	dst = append(dst, 'd')
	switch m.kind {
	case 'q':
		dst = m.appendArgs(append(dst, "1:a"...))
	case 'e':
		dst = appendInteger(append(dst, "1:el"...), m.code)
		dst = append(appendString(dst, m.text), 'e')
	}
	if m.seenAs != nil {
		dst = appendString(append(dst, "2:ip"...), m.seenAs)
	}
	switch m.kind {
	case 'q':
		dst = appendString(append(dst, "1:q"...), m.method)
	case 'r':
		dst = m.appendReturn(append(dst, "1:r"...))
	}
	if m.readOnly {
		dst = append(dst, "2:roi1e"...)
	}
	dst = appendString(append(dst, "1:t"...), m.tid)
	return append(dst, "1:y1:"+string(m.kind)+"e"...)
}

func (m *message) appendArgs(dst []byte) []byte {
	dst = appendString(append(dst, "d2:id"...), m.id[:])
	switch m.method {
	case "find_node":
		dst = appendString(append(dst, "6:target"...), m.target[:])
	case "get_peers":
		dst = appendString(append(dst, "9:info_hash"...), m.infoHash[:])
	case "announce_peer":
		if m.impliedPort {
			dst = append(dst, "12:implied_porti1e"...)
		}
		dst = appendString(append(dst, "9:info_hash"...), m.infoHash[:])
		dst = appendInteger(append(dst, "4:port"...), m.port)
		dst = appendString(append(dst, "5:token"...), m.token)
	}
	if m.want4 || m.want6 {
		dst = append(dst, "4:wantl"...)
		if m.want4 {
			dst = append(dst, "2:n4"...)
		}
		if m.want6 {
			dst = append(dst, "2:n6"...)
		}
		dst = append(dst, 'e')
	}
	return append(dst, 'e')
}

func (m *message) appendReturn(dst []byte) []byte {
	dst = appendString(append(dst, "d2:id"...), m.id[:])
	if len(m.nodes) > 0 {
		dst = appendString(append(dst, "5:nodes"...), m.nodes)
	}
	if len(m.nodes6) > 0 {
		dst = appendString(append(dst, "6:nodes6"...), m.nodes6)
	}
	if m.hasToken {
		dst = appendString(append(dst, "5:token"...), m.token)
	}
	if len(m.values) > 0 {
		dst = append(dst, "6:valuesl"...)
		for _, v := range m.values {
			dst = appendString(dst, v)
		}
		dst = append(dst, 'e')
	}
	return append(dst, 'e')
}
