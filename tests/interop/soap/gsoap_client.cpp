// One call with gSOAP's generated proxy; arguments, input and output as zeep_client.py's.
// operations.inc holds the names of the proxy's methods, each as "name", and is made from its header when this is built.
#include "SmsSoap11.nsmap"
#include "soapSmsSoap11Proxy.h"

#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using Values = std::map<std::string, std::string>;

static std::string json(const std::string &text) {
    std::string found = "\"";
    for (const unsigned char c : text) {
        char escaped[8];
        snprintf(escaped, sizeof escaped, "\\u%04x", c);
        if (c < 0x20 || c == '"' || c == '\\') found += escaped;
        else found += static_cast<char>(c);
    }
    return found + "\"";
}

static std::string object(const std::vector<std::pair<std::string, std::string>> &members) {
    std::string found;
    for (const auto &[name, value] : members)
        if (!value.empty()) found += (found.empty() ? "" : ", ") + json(name) + ": " + value;
    return "{" + found + "}";
}

static std::string optional(const std::string *text) { return text ? json(*text) : ""; }

static std::string date(const time_t *moment) {
    if (!moment) return "";
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(moment));
    return json(text);
}

template <typename T> std::string list(const std::vector<T *> &items, std::string (*one)(const T &)) {
    std::string found;
    for (const T *item : items) found += (found.empty() ? "" : ", ") + one(*item);
    return "[" + found + "]";
}

static std::string field(const ns1__FieldValue &given) {
    return object({{"name", json(given.name)}, {"value", json(given.value)}});
}

static std::string contact(const ns1__ContactEntry &given) {
    return object({{"id", json(given.id)}, {"mobile", json(given.mobile)}, {"fields", list(given.fields, field)}});
}

static std::string delivery(const ns1__DeliveryStatus &given) {
    return object({{"messageid", json(given.messageid)},
                   {"sms", optional(given.sms)},
                   {"deliverydate", date(given.deliverydate)},
                   {"deliverystatus", json(given.deliverystatus)}});
}

static std::string result(const ns1__Sent &given) {
    return object({{"messageid", json(given.messageid)},
                   {"credits", json(given.credits)},
                   {"encoding", json(given.encoding)},
                   {"segments", json(std::to_string(given.segments))}});
}

static std::string result(const ns1__ContactPage &given) {
    return object({{"contacts", list(given.contacts, contact)}, {"next", optional(given.next)}});
}

static std::string result(const std::string &given) { return json(given); }

static std::string result(const std::vector<ns1__DeliveryStatus *> &given) { return list(given, delivery); }

template <typename T> std::string result(const T *given) { return given ? result(*given) : ""; }

template <typename Reply> std::string shown(const Reply &reply) {
    return object({{"status", json(reply.status)},
                   {"result", result(reply.result)},
                   {"error", optional(reply.error)},
                   {"detail", optional(reply.detail)}});
}

static std::string failed(SmsSoap11Proxy &proxy) {
    if (!soap_soap_error_check(proxy.soap->error) && proxy.soap->error != SOAP_FAULT) {
        soap_print_fault(proxy.soap, stderr);
        exit(1);
    }
    return object({{"fault", json(*soap_faultcode(proxy.soap))}, {"text", json(proxy.soap_fault_string())}});
}

static Values values() {
    const std::string given{std::istreambuf_iterator<char>(std::cin), {}};
    std::istringstream words(given);
    Values found;
    std::string name, value;
    while (std::getline(words, name, '\0') && std::getline(words, value, '\0')) found[name] = value;
    return found;
}

// How user and password go: as elements of the request, in a header as gsoap_security.h has it, or by HTTP.
static const std::string credentials = getenv("CREDENTIALS");

template <typename Request> void sign(Request &request, Values &given) {
    if (credentials != "elements") return;
    request.user = &given["user"];
    request.password = &given["password"];
}

static void sign(SmsSoap11Proxy &proxy, Values &given) {
    static TokenOfUser token;
    static SecurityOfUser security;
    token.wsse__Username = given["user"].data();
    token.wsse__Password = given["password"].data();
    if (credentials == "basic") {
        proxy.soap->userid = token.wsse__Username;
        proxy.soap->passwd = token.wsse__Password;
    } else if (credentials == "token") {
        security.wsse__UsernameToken = &token;
        proxy.soap_header(&security);
    }
}

static std::string call(SmsSoap11Proxy &proxy, const std::string &operation, const char *action, Values given) {
    sign(proxy, given);
    if (operation == "sendsms") {
        ns1__sendsms request;
        ns1__sendsmsResponse response;
        sign(request, given);
        request.from = given["from"];
        request.to = given["to"];
        request.sms = given["sms"];
        return proxy.sendsms(nullptr, action, &request, response) ? failed(proxy) : shown(*response.sendsmsResult);
    }
    if (operation == "getdeliverystatus") {
        ns1__getdeliverystatus request;
        ns1__getdeliverystatusResponse response;
        sign(request, given);
        request.messages = given["messages"];
        return proxy.getdeliverystatus(nullptr, action, &request, response) ? failed(proxy)
                                                                            : shown(*response.getdeliverystatusResult);
    }
    if (operation == "getcontacts") {
        ns1__getcontacts request;
        ns1__getcontactsResponse response;
        sign(request, given);
        request.idgroup = given["idgroup"];
        return proxy.getcontacts(nullptr, action, &request, response) ? failed(proxy)
                                                                      : shown(*response.getcontactsResult);
    }
    ns1__getbalance request;
    ns1__getbalanceResponse response;
    sign(request, given);
    return proxy.getbalance(nullptr, action, &request, response) ? failed(proxy) : shown(*response.getbalanceResult);
}

int main(int count, char **words) {
    const std::vector<std::string> arguments(words, words + count);
    const std::string operation = arguments[3];
    if (operation == "operations") {
        const char *names[] = {
#include "operations.inc"
        };
        std::string found;
        for (const char *name : names) found += (found.empty() ? "" : ", ") + json(name);
        std::cout << "[" << found << "]\n";
        return 0;
    }
    // Its WSDL was read when this was built; where the service is it is told.
    const std::string endpoint = arguments[1].substr(0, arguments[1].find('?'));
    SmsSoap11Proxy proxy(endpoint.c_str(), SOAP_C_UTFSTRING);
    // The version was settled when this was built; asked for the other, it says so.
    if (std::string(namespaces[0].ns).find("schemas.xmlsoap.org") != std::string::npos != (arguments[2] == "1.1"))
        return 2;
    std::cout << call(proxy, operation, count > 4 ? words[4] : nullptr, values()) << "\n";
    return 0;
}
